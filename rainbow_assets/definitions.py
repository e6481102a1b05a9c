"""The whole graph on one page: what each room offers, merged. Nothing is computed here."""

import dagster as dg

from rainbow_assets import jobs, leases
from rainbow_assets.composition import assets as composition
from rainbow_assets.composition import checks as composition_checks
from rainbow_assets.corpus import assets as corpus
from rainbow_assets.corpus import automation as corpus_automation
from rainbow_assets.corpus import checks as corpus_checks
from rainbow_assets.embeddings import assets as embeddings
from rainbow_assets.embeddings import checks as embedding_checks
from rainbow_assets.embeddings.resources import EmbeddingEngineResource
from rainbow_assets.fitness import assets as fitness
from rainbow_assets.fitness import checks as fitness_checks
from rainbow_assets.harmony import assets as harmony
from rainbow_assets.harmony import checks as harmony_checks
from rainbow_assets.lineage import automation
from rainbow_assets.release import assets as release
from rainbow_assets.release import checks as release_checks
from rainbow_assets.segments import assets as segments
from rainbow_assets.segments import checks as segment_checks
from rainbow_assets.storage.resources import ShardStoreResource
from rainbow_assets.threads import assets as threads
from rainbow_assets.threads import checks as thread_checks

defs = dg.Definitions(
    assets=dg.load_assets_from_modules([corpus_automation, corpus, segments, embeddings, fitness, harmony, threads,
                                          composition, release]),
    asset_checks=[*corpus_checks.checks, *segment_checks.checks, *embedding_checks.checks, *fitness_checks.checks,
                  *harmony_checks.checks, *thread_checks.checks, *composition_checks.checks, *release_checks.checks],
    jobs=[jobs.main_job, jobs.any_job, jobs.ci_job, jobs.release_job],
    sensors=[corpus_automation.corpus_changes, automation.automation, leases.dead_runs],
    resources={"store": ShardStoreResource(), "engine": EmbeddingEngineResource()},
    executor=dg.in_process_executor,
)
