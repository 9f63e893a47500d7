"""Where services run: containers of a compose project that is already up.

The runtime adopts what it finds and never creates or removes a container of the user. What it adds
for itself is labelled ``knockon.…`` and goes when it goes: one helper that can crash processes, and
never-started containers: one for each entry of the journal, and one that says that the run lives.

    clients      one connection to the engine per thread; its errors in our words
    clock        our time, and the engine's time on it
    containers   what the engine says about a container, as values
    lives        one container's life, folded from its events
    intents      what we asked of the engine ourselves; anything else was somebody
    fleet        all lives of the project, and whom they are reported to
    stream       the engine's events, read in a thread
    helper       the one container that can kill a process behind the engine's back
    owner        whose a labelled container is
    marks        containers that are never started: labels that last
    lease        which runs live, on this machine and on others
    alone        one healer at a time
    sweeping     what dead runs left behind beside their journals
    stopping     who is just being stopped
    limits       what the engine was told of a container's resources, and what the kernel says
    execs        small programs run inside a container
    limiting     little processor time, memory, processes; straining, filling, skewing: the other faults
    resources    all faults of resources, and how they are lifted
    claim        one run at a time: who has the project
    journal      undos that survive us
    edges        the project's proxies: found, driven, and missed when they go
    health       probes that ask the engine
    capabilities what an engine offers, for ``doctor``
    runtime      all of it together
"""
