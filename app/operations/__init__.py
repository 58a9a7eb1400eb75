"""What operators do, under all faces: what is looked at, and acts, each written down under a name.

    face        what there is to do, as protocols
    here        the face of the Redis beside us, of:
    letters, groups, runs, recipes, books   one noun each
    trying      dry runs
    actor       who acts
    wire        answers as JSON, and read back

The commands ask a face: this one, or that of a console elsewhere (app/cli/afar). The console's API
(app/web/console/api) asks this one. Nothing here knows of terminals, forms or HTTP.
"""
