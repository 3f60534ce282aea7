"""Read models: what the recorded events mean, one package per question."""
