"""Pictures, sounds, films and documents: told by their bytes, cleaned of what they tell about a place, and measured
against what each platform carries."""
