"""Other people's layouts: what lies in the files of a public data set, or of your own recordings, as candidates."""
