"""What fills the forms: rules, resource types, actions, documents, packs. Many small entries, no engine."""
