"""Controller side of gpufleet.serving.metrics_endpoint: judges the page that the module fetched on the host."""

from __future__ import annotations

import base64
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.plugins.action import ActionBase

from ..module_utils.verdict import Verdict
from ..plugin_utils import contract
from ..plugin_utils.components import COLLECTION_ROOT
from ..plugin_utils.exposition import judge
from ..plugin_utils.exposition.content_type import read as read_content_type

_MODULE = "gpufleet.serving.metrics_endpoint"
_CHECK = "metrics"
# A page that is wrong is wrong in many lines; the first ones say what is the matter.
_MOST_FINDINGS = 20


class ActionModule(ActionBase):
    """One remote call per look at the page."""

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        try:
            self._wanted = self._expectations(arguments)
        except (contract.ContractError, OSError) as error:
            return {**result, "failed": True, "msg": str(error)}
        end = time.monotonic() + float(arguments.get("deadline", 0))
        interval = float(arguments.get("interval", 2))
        while True:
            left = max(0.0, end - time.monotonic())
            answer = self._execute_module(
                module_name=_MODULE, module_args={**arguments, "deadline": left}, task_vars=task_vars
            )
            page = answer.pop("page", None)
            if page is None:
                return {**result, **answer}
            verdict = self._judge(answer, zlib.decompress(base64.b64decode(page)), arguments)
            if verdict.passed or time.monotonic() + interval > end:
                break
            time.sleep(interval)
        if verdict.passed and arguments.get("record"):
            verdict.values["changed"] = self._record(arguments)
        invocation = {key: answer[key] for key in ("invocation",) if key in answer}
        return {
            **result,
            **invocation,
            **verdict.as_result(arguments.get("on_problem", "fail"), task_vars["inventory_hostname"]),
        }

    def _expectations(self, arguments: Mapping[str, Any]) -> list[contract.Expectation]:
        wanted = contract.expectations(arguments.get("expect") or {}, "expect")
        if arguments.get("contract"):
            path = Path(self._loader.path_dwim(arguments["contract"]))
            wanted += contract.load(path.read_text(encoding="utf-8"), str(path))
        return wanted

    def _judge(self, answer: Mapping[str, Any], body: bytes, arguments: Mapping[str, Any]) -> Verdict:
        page = judge(body, answer.get("content_type"))
        self._page = page
        with_series = [family for family in page.families.values() if family.samples]
        problems = []
        header = read_content_type(answer.get("content_type")).problem
        if header:
            problems.append(header)
        if body.lstrip()[:1] == b"<":
            problems.append(
                f"expected metrics, found a page that begins {body.lstrip()[:40].decode('utf-8', 'replace')!r}; "
                "is this the right port and path?"
            )
        else:
            problems += [str(finding) for finding in page.errors[:_MOST_FINDINGS]]
            if len(page.errors) > _MOST_FINDINGS:
                problems.append(f"and {len(page.errors) - _MOST_FINDINGS} more lines that are wrong")
            if not page.malformed:
                problems += contract.check(page, self._wanted, renames())
        most = arguments.get("max_series")
        if most is not None and page.samples > int(most):
            problems.append(f"expected at most {most} series, found {page.samples}")
        url = answer["subject"]
        return Verdict(
            _CHECK,
            url,
            [f"{url}: {problem}" for problem in problems],
            detail=f"{len(with_series)} families, {page.samples} series",
            values={
                "families": len(with_series),
                "series": page.samples,
                "bytes": answer["bytes"],
                "scrape_seconds": answer["scrape_seconds"],
            },
        )

    def _record(self, arguments: Mapping[str, Any]) -> bool:
        path = Path(self._loader.path_dwim(arguments["record"]))
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        former = yaml.safe_load(before) if before else None
        text = contract.dump(contract.record(self._page, arguments["component"], str(arguments["version"]), former))
        if text != before and not self._task.check_mode:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return text != before


def renames() -> dict[str, str]:
    """What families used to be called -> what they are called now, as all components tell it."""
    found: dict[str, str] = {}
    for file in sorted(COLLECTION_ROOT.glob("roles/*/files/monitoring/renames.yml")):
        found |= yaml.safe_load(file.read_text(encoding="utf-8"))
    return found
