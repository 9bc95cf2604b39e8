"""Which components a panel lives on."""

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.panels.variables import BUILT_IN
from ansible_collections.gpufleet.serving.plugins.plugin_utils.promql.known import vocabulary
from ansible_collections.gpufleet.serving.plugins.plugin_utils.promql.needs import needs

KNOWN = vocabulary()


@pytest.mark.parametrize(
    ("queries", "jobs"),
    [
        (["sum(rate(vllm:prompt_tokens_total[$__rate_interval]))"], ["vllm"]),
        (['max(DCGM_FI_DEV_GPU_TEMP{job="dcgm"})'], ["dcgm"]),
        (['count(up{job="node"} == 0)'], ["node"]),
        (["count(up)"], []),
        (["DCGM_FI_DEV_GPU_TEMP / on (instance) group_left () node_load1"], ["dcgm", "node"]),
        (["sum(DCGM_FI_DEV_POWER_USAGE) or 0 * count(up)"], []),
        (["DCGM_FI_DEV_GPU_TEMP unless on (instance) node_load1"], ["dcgm"]),
        (["absent(DCGM_FI_DEV_GPU_TEMP)"], []),
        (["node_load1", "vllm:num_requests_waiting"], []),
        (["vllm:num_requests_running", "vllm:num_requests_waiting"], ["vllm"]),
        (["process_open_fds"], []),
        (["max_over_time(sum(vllm:num_requests_waiting)[5m:1m])"], ["vllm"]),
    ],
)
def test_a_panel_needs_what_each_of_its_queries_needs(queries, jobs):
    assert needs(queries, BUILT_IN, KNOWN) == jobs
