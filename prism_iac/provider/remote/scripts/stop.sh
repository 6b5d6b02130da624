# Stops the manager and waits for its end: PORT. Its VMs and their data stay.
stop_manager "$folder/$1"
