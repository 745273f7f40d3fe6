"""What is made of it: the model file hears the voice, believes in a speaker and a mood, and speaks blendshapes."""
