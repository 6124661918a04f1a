"""Alarms: raised by alerts and events, told to people until one of them takes it, cleared when it is over."""
