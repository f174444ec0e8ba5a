"""What a city registers beside its borders: whose component stands where, who patrols with whom, what places are called."""
