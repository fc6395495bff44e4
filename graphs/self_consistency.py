"""self_consistency: z draws of one model, and the result that most of them return.

Wang et al., Self-Consistency (arXiv 2203.11171), with execution results as the answers that are counted.
"""

from critiql.agent.roles.sampler import draw
from critiql.graphs.voting import voting

graph = voting("self_consistency", draw)
