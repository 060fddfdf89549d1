"""Written by ``python -m analyses.names``: not to be changed by hand."""

from analyses.adding.circles import circles as circles
from analyses.adding.one_pair import one_pair as one_pair
from analyses.basics.circularity import circularity as circularity
from analyses.basics.distance_irrelevance import distance_irrelevance as distance_irrelevance
from analyses.basics.embedding_spectrum import embedding_spectrum as embedding_spectrum
from analyses.basics.gradient_symmetry import gradient_symmetry as gradient_symmetry
from analyses.basics.logit_spectrum import logit_spectrum as logit_spectrum
from analyses.basics.performance import performance as performance
from analyses.basics.wrong_labels import wrong_labels as wrong_labels
from analyses.evidence.amplitude_profile import amplitude_profile as amplitude_profile
from analyses.evidence.attention_pattern import attention_pattern as attention_pattern
from analyses.evidence.certificate import certificate as certificate
from analyses.evidence.clock_or_pizza import clock_or_pizza as clock_or_pizza
from analyses.evidence.disguise import disguise as disguise
from analyses.evidence.from_weights import from_weights as from_weights
from analyses.evidence.key_frequencies import key_frequencies as key_frequencies
from analyses.evidence.layer_attention import layer_attention as layer_attention
from analyses.evidence.layer_frequencies import layer_frequencies as layer_frequencies
from analyses.evidence.logit_attribution import logit_attribution as logit_attribution
from analyses.evidence.neuron_clusters import neuron_clusters as neuron_clusters
from analyses.evidence.neuron_maps import neuron_maps as neuron_maps
from analyses.findings.finding import Finding as Finding
from analyses.findings.measurement import MEASUREMENTS as MEASUREMENTS
from analyses.groups.cosets import cosets as cosets
from analyses.groups.key_representations import key_representations as key_representations
from analyses.groups.representation_shares import representation_shares as representation_shares
from analyses.groups.trace_or_coset import trace_or_coset as trace_or_coset
from analyses.reports.compare import compare as compare
from analyses.reports.report import report as report
from analyses.timeline.progress import progress as progress
from analyses.trials.causal import causal as causal
from analyses.trials.explanation import explanation as explanation
from analyses.trials.group_explanation import group_explanation as group_explanation
from analyses.trials.ladder import ladder as ladder
from analyses.trials.memorisation import memorisation as memorisation
from analyses.trials.memory import memory as memory
from analyses.trials.phase_law import phase_law as phase_law
from analyses.trials.representation_ladder import representation_ladder as representation_ladder
from analyses.trials.representation_tests import representation_tests as representation_tests
from analyses.trials.residual import residual as residual
from analyses.trials.surrogate import surrogate as surrogate

FOLDERS: str
ASKED_FOR: dict[str, str]
