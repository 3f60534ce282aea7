"""The sample company, and simulated histories whose causes are known: one engine, from a seed."""
