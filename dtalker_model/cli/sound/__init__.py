"""What the commands hear: sound files and microphones, at once or at their own pace."""
