"""What a pack's compliance looks like on paper: its content, and the forms it is written in."""
