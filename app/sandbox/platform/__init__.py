"""Adobe's side: IMS tokens and the collection endpoints, as platform.md sections 2 and 3 say."""
