"""Makes the harmony steps and their checks known to gates and plans."""

from rainbow_assets.harmony import quality
from rainbow_assets.harmony.graph_steps import CHORD_GRAPH, FUNCTION_GRAPH
from rainbow_assets.harmony.library_steps import CHORD_LIBRARY, PROGRESSION_LIBRARY
from rainbow_assets.lineage import catalog

catalog.register(CHORD_LIBRARY, quality.chord_library_checks())
catalog.register(PROGRESSION_LIBRARY, quality.progression_library_checks())
catalog.register(FUNCTION_GRAPH, quality.function_graph_checks())
catalog.register(CHORD_GRAPH, quality.chord_graph_checks())
STEPS = (CHORD_LIBRARY, PROGRESSION_LIBRARY, FUNCTION_GRAPH, CHORD_GRAPH)
