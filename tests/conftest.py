"""What holds for every test: a property is judged by what it says, never by how long a busy machine took over it."""

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
