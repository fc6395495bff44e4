"""One file a node: what each role does with a question, under the name the graphs draw."""
