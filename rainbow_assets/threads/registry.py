"""Makes the steps of the threads and their checks known to gates and plans."""

from rainbow_assets.lineage import catalog
from rainbow_assets.threads import step_quality
from rainbow_assets.threads.feedback_steps import NEGATIVE_CONSTRAINTS, RESULT_FEEDBACK
from rainbow_assets.threads.steps import THREAD_INDEX, THREAD_MANIFESTS

catalog.register(THREAD_MANIFESTS, step_quality.thread_manifests_checks())
catalog.register(THREAD_INDEX, step_quality.thread_index_checks())
catalog.register(RESULT_FEEDBACK, step_quality.result_feedback_checks())
catalog.register(NEGATIVE_CONSTRAINTS, step_quality.negative_constraints_checks())
STEPS = (THREAD_MANIFESTS, THREAD_INDEX, RESULT_FEEDBACK, NEGATIVE_CONSTRAINTS)
