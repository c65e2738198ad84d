"""Projects of Poetry and their locks."""
