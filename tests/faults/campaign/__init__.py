"""Mixed traffic against a service while things are killed, cut, slowed, filled and moved in time; then the judgement."""
