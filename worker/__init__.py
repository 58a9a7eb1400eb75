"""The worker: takes event batches from the queue and delivers them.

main      the process; composing.py is the composition root, working.py runs what it made;
          routes.py makes a Route of every connection
versions  reads and checks mapping sets; version_watch takes new ones while the worker runs
bells     the arq shell, and the only arq here
desk      takes the batches a bell names, keeps their leases
pipeline  one batch's story, on one screen; story.py is its state, route.py one connection,
          marks.py what Platform took so far, isolating.py what becomes of one that kills workers,
          setting_aside.py of one that is none of ours, telling.py what the log says of it
sampling  keeps copies of a few events, for people who change a mapping set
reconcile/  asks Platform what landed, and buries what it refused later
archive/  keeps delivered bodies on disk, if it is told to
lane/     fills and sends request batches
watch     notices when the worker gets nowhere
health    /healthz and /metrics
"""
