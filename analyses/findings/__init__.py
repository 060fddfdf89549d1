"""What a measurement returns, and how it shows itself.

from analyses.findings import Finding, Table, finish, measurement
"""

from analyses.findings.drawing import finish as finish
from analyses.findings.finding import ONLY_DRAWN as ONLY_DRAWN
from analyses.findings.finding import Finding as Finding
from analyses.findings.finding import side_by_side as side_by_side
from analyses.findings.measurement import measurement as measurement
from analyses.findings.table import Table as Table
