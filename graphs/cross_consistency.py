"""cross_consistency: two models draw in turn, and the result that most of the z queries return is the answer.

Li et al., PET-SQL (arXiv 2403.09732), section on cross-consistency, with two local models.
"""

from critiql.agent.roles.sampler import cross_draw
from critiql.graphs.voting import voting

graph = voting("cross_consistency", cross_draw)
