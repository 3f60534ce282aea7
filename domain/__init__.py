"""The pure model: events, decisions, calendars and money, without any I/O."""
