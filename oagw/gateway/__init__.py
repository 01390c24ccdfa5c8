"""The root of the resource tree, the gateway's own resources, and the pipeline to the upstreams."""
