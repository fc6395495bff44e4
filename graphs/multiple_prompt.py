"""multiple_prompt: each draw is asked for in other words, and the result that most return is the answer.

Lee et al., MCS-SQL (arXiv 2405.07467), with other words in place of another order of schema and examples.
"""

from critiql.agent.roles.sampler import varied_draw
from critiql.graphs.voting import voting

graph = voting("multiple_prompt", varied_draw)
