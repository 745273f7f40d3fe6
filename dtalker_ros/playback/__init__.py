"""How sound leaves a loudspeaker when the face shows it: the card's clock measured, the sound resampled to it."""
