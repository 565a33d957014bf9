"""The gate's rules about the person and the moment: quiet hours, frequency, content. Windows and holidays are data."""
