# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Controller side of gpufleet.serving.metrics_endpoint: judges the page that the module fetched on the host.

See plugins/modules/metrics_endpoint.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils.armour import unpack
from ..module_utils.endpoint_options import OPTIONS, RULES
from ..module_utils.verdict import Verdict
from ..plugin_utils import contract
from ..plugin_utils.contract_record import comments_of, dump, record
from ..plugin_utils.endpoint import Page, judge_page
from ..plugin_utils.renames import known_renames

# Seconds that one remote call waits for a service to listen, so that a longer wait shows signs of life.
_SLICE = 10.0


class ActionModule(ActionBase):
    """One remote call per look at the page."""

    TRANSFERS_FILES = False

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(OPTIONS, **RULES)
        host = task_vars["inventory_hostname"]
        try:
            wanted = self._expectations(options)
            verdict, page = self._watch(options, wanted, task_vars)
            if verdict is None:
                return {**result, **page}
            if verdict.passed and page is not None and options.get("record"):
                verdict.values |= self._record(page, options)
        except contract.ContractError as error:
            return {**result, "failed": True, "msg": f"{host}: {error}"}
        return {**result, **verdict.as_result(options["on_problem"], host)}

    def _watch(
        self, options: Mapping[str, Any], wanted: list[contract.Expectation], task_vars: dict[str, Any]
    ) -> tuple[Verdict | None, Any]:
        """Look until the page is in order or the time is up.

        Returns:
            The verdict and the page it is about, if one came; or None and the module's answer where the module itself
            could not run.
        """
        began = time.monotonic()
        end = began + options["deadline"]
        while True:
            wait = min(_SLICE, max(0.0, end - time.monotonic()))
            answer = self._execute_module(module_args={**self._task.args, "deadline": wait}, task_vars=task_vars)
            if answer.get("failed") or answer.get("unreachable") or "check" not in answer:
                return None, answer
            verdict, page = self._judge(answer, options, wanted)
            left = end - time.monotonic()
            if verdict.passed or verdict.final or left < options["interval"]:
                return verdict, page
            Display().display(
                f"{verdict.subject} on {task_vars['inventory_hostname']}, {time.monotonic() - began:.0f} s: "
                f"{verdict.problems[0].removeprefix(verdict.subject + ': ')}"
            )
            time.sleep(options["interval"])

    @staticmethod
    def _judge(
        answer: Mapping[str, Any], options: Mapping[str, Any], wanted: list[contract.Expectation]
    ) -> tuple[Verdict, Page | None]:
        if "page" not in answer:
            fields = ("check", "subject", "problems", "detail", "final", "checked")
            return Verdict(**{name: answer[name] for name in fields}), None
        head, _, body = unpack(answer["page"]).partition(b"\n")
        page = Page(options["url"], body, **json.loads(head))
        return judge_page(page, wanted, known_renames(), options.get("max_series")), page

    def _expectations(self, options: Mapping[str, Any]) -> list[contract.Expectation]:
        wanted = contract.expectations(options["expect"], "expect") if options.get("expect") else []
        if options.get("contract"):
            path = Path(self._loader.path_dwim(options["contract"]))
            wanted += contract.load(_read(path), str(path))
        return wanted

    def _record(self, page: Page, options: Mapping[str, Any]) -> dict[str, Any]:
        """Write what `page` keeps; returns what the result says of it."""
        path = Path(self._loader.path_dwim(options["record"]))
        before = _read(path) if path.is_file() else ""
        former = contract.read(before, str(path)) if before else None
        kept = record(page.exposition, options["component"], options["version"], former)
        after = dump(kept, comments_of(before))
        if after != before and not self._task.check_mode:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f".{path.name}.new")
            unfinished.write_text(after, encoding="utf-8")
            unfinished.replace(path)
        diff = {"before": before, "after": after, "before_header": str(path), "after_header": str(path)}
        return {"changed": after != before, "diff": diff if self._task.diff else {}}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise contract.ContractError(f"{path}: cannot read this contract: {error}") from None
