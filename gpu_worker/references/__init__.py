"""References: recordings of a voice, checked and decoded where hostile files can do no harm."""
