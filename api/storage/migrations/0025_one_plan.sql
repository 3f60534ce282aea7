-- Made anew for each call, the plan of the append took longer than all that it does for one event.
ALTER FUNCTION append_events(json, timestamptz, boolean) SET plan_cache_mode = force_generic_plan;
