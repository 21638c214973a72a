"""One connection to the devices on a Modbus line or host, by pymodbus; decides nothing, reads and writes nothing itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from edgeinfer.commons import Seat
from edgeinfer.config.values import check_seconds
from edgeinfer.errors import DeviceError, InputError


class BusError(DeviceError):
    """There is no connection, or no answer; says to what."""


class BusOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Either `host` (TCP) or `port` (RTU); the options of a source or a sink have these too."""

    host: str = ""
    tcp_port: int = 502
    port: str = ""
    baud: int = 19_200
    parity: Literal["none", "even", "odd"] = "even"
    stop_bits: Literal[1, 2] = 1
    timeout_s: float = 1.0


def check(options: BusOptions) -> None:
    """Raises InputError for what no type can say, or when pymodbus is not installed."""
    if bool(options.host) == bool(options.port):
        raise InputError(
            'host: expected either host = "10.0.0.9" (TCP) or port = "/dev/serial/by-id/…" (RTU)'
        )
    check_seconds("timeout_s", options.timeout_s, least_s=0.05)
    try:
        import pymodbus  # noqa: F401  told at once, not at the first connection
    except ImportError:
        raise InputError("modbus needs pymodbus: pip install 'edgeinfer[modbus]'") from None


class Bus:
    """For one thread, but for `close`. It asks twice before it says that there is no answer."""

    def __init__(self, options: BusOptions) -> None:
        self._options = options
        self._client: Any = None
        self.where = f"{options.host}:{options.tcp_port}" if options.host else options.port
        self.seat = Seat(options.port) if options.port else None

    def open(self) -> None:
        """Raises BusError; nobody is there."""
        self._client = client = self._made()
        if not client.connect():
            self.close()
            raise BusError(f"{self.where} cannot be reached: is it on, and is this its address?")

    def close(self) -> None:
        """Safe twice."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def call(self, name: str, unit_id: int, *arguments: Any, **options: Any) -> Any:
        """The answer to pymodbus's request `name`; an answer may be a refusal (`refusal` says which).

        Raises:
            BusError: none came.
        """
        from pymodbus.exceptions import ModbusException

        client = self._client
        try:
            if client is None:
                raise BusError(f"{self.where} is not connected")
            ask = getattr(client, name)
            return ask(*arguments, **options, **{_unit_word(ask): unit_id})
        except AttributeError as error:
            if self._client is client:
                raise
            raise BusError(f"{self.where}: closed") from error  # by another thread, in the middle of it
        except (ModbusException, OSError) as error:
            raise BusError(f"{self.where}: unit {unit_id} does not answer: {error}") from None

    def _made(self) -> Any:
        from pymodbus.client import ModbusSerialClient, ModbusTcpClient

        options = self._options
        if options.host:
            return ModbusTcpClient(options.host, port=options.tcp_port, timeout=options.timeout_s, retries=1)
        _check_port(options.port)
        return ModbusSerialClient(
            options.port,
            baudrate=options.baud,
            parity=options.parity[0].upper(),
            stopbits=options.stop_bits,
            timeout=options.timeout_s,
            retries=1,
        )


def refusal(answer: Any) -> int | None:
    """The exception code of an answer that refuses (Modbus Application Protocol 1.1b3, 7); None where it does not."""
    return int(getattr(answer, "exception_code", 0)) if answer.isError() else None


def _unit_word(ask: Callable[..., Any]) -> str:
    """What this pymodbus calls the unit id: `slave` up to 3.9, `device_id` since 3.10."""
    return "device_id" if "device_id" in inspect.signature(ask).parameters else "slave"


def _check_port(name: str) -> None:
    """Pymodbus only says that it could not connect."""
    from firmware_bridge.errors import PortError
    from firmware_bridge.port import check as check_port

    try:
        check_port(name)
    except PortError as error:
        raise BusError(str(error)) from error
