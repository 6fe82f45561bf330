"""How jupyter_client starts a forked kernel, and waits for one no longer than it must."""

from __future__ import annotations

import asyncio
import os
from queue import Empty
from typing import Any, ClassVar

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from traitlets import Type

from evaluation.report.warm import NotWarmError, WarmKernels

_ASKED = 1  # seconds in which a kernel that is there answers
_PUBLISHED = 0.1  # seconds after its answer in which it has told all that it tells


class QuickClient(AsyncKernelClient):
    """A client that goes on when a kernel has told that it is idle, not a while later."""

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + (timeout or float("inf"))
        while True:
            asked = self.kernel_info()
            try:
                reply = await self._next(self.shell_channel, asked, _ASKED)
                # What it published before this channel was connected is lost: ask again.
                while True:
                    told = await self._next(self.iopub_channel, asked, _PUBLISHED)
                    if told["content"].get("execution_state") == "idle":
                        self._handle_kernel_info_reply(reply)
                        return
            except Empty:
                pass
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if loop.time() > end:
                raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")

    async def _next(self, channel: Any, asked: str, seconds: float) -> dict[str, Any]:
        """Give the next message that answers a request."""
        while True:
            message: dict[str, Any] = await channel.get_msg(timeout=seconds)
            if message["parent_header"].get("msg_id") == asked:
                return message

    wait_for_ready = _async_wait_for_ready


class WarmManager(AsyncKernelManager):
    """A manager whose kernel is forked, if it can be.

    Attributes
    ----------
    warm_kernels
        What it is forked from; None for an interpreter of its own.
    """

    warm_kernels: ClassVar[WarmKernels | None] = None
    client_factory = Type(QuickClient)

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        if self.warm_kernels is not None:
            try:
                self._fork(self.warm_kernels, kernel_cmd, **options)
                return
            except NotWarmError as error:
                self._tell_plain(error)
        await super()._async_launch_kernel(kernel_cmd, **options)

    def _fork(
        self,
        kernels: WarmKernels,
        kernel_cmd: list[str],
        *,
        env: dict[str, str],
        **options: Any,
    ) -> None:
        cwd = options.get("cwd") or os.getcwd()
        # As LocalProvisioner.launch_kernel() does with what it starts.
        provisioner: Any = self.provisioner
        provisioner.process = process = kernels.start(kernel_cmd, env=env, cwd=cwd)
        provisioner.pid = provisioner.pgid = process.pid
        provisioner.cwd = cwd
        self._reconcile_connection_info(provisioner.connection_info)

    def _tell_plain(self, error: NotWarmError) -> None:
        """Say why a kernel is not forked."""

    _launch_kernel = _async_launch_kernel
