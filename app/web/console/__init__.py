"""The operators' console: server-rendered pages over app/store, on a port of its own.

    routes      every address, and who may call it: there are no others
    server      the application, and what a request meets before its page: door, forms, headers
    door        log-in, sessions, tokens: who is asking
    panels      one part of a page; its faults stay in it, and it says how old its data is
    live        samples of the pipeline, and the stream that shows them as they come
    both_ends/  connections at Platform and Customer.io: looked at, set up, in the background
    uploads     files that somebody sent, until they say what to do with them
    pages/      one file per page
    templates/  Jinja2, everything escaped        static/  style, script, and two libraries

No page works without a log-in, no POST without the token of its session, and no script or style
that is not a file of static/.
"""
