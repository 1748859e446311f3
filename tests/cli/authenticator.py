"""A FIDO2 authenticator in software, behind a socket that takes CTAPHID reports: what a security key does for the extension hmac-secret, from the CTAP 2.1
specification (sections 6.1, 6.2, 6.4, 6.5, 11.2 and 12.5; PIN protocol one)."""

import hashlib
import hmac
import os
import socket
import struct
import threading

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

REPORT = 64
INIT, CBOR, ERROR = 0x06, 0x10, 0x3F
MAKE_CREDENTIAL, GET_ASSERTION, GET_INFO, CLIENT_PIN = 1, 2, 4, 6
OK, MISSING_PARAMETER, NO_CREDENTIALS, PIN_INVALID, PIN_REQUIRED, PIN_AUTH_INVALID = 0, 0x14, 0x2E, 0x31, 0x36, 0x33
TOUCHED, VERIFIED, HAS_CREDENTIAL, HAS_EXTENSIONS = 1, 4, 0x40, 0x80


class Refused(Exception):
    pass


def sha256(data):
    return hashlib.sha256(data).digest()


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def crypt(key, data, encrypt):
    cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(16)))
    context = cipher.encryptor() if encrypt else cipher.decryptor()
    return context.update(data) + context.finalize()


def cose(public, algorithm):
    numbers = public.public_numbers()
    return {1: 2, 3: algorithm, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}


class Authenticator:
    """`extension`: whether it has hmac-secret."""

    def __init__(self, path, pin=None, extension=True):
        self.master, self.pin, self.extension, self.touches = os.urandom(32), pin, extension, 0
        self._agreement = ec.generate_private_key(ec.SECP256R1())
        self._token = os.urandom(32)
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.bind(path)
        self._listening.listen()
        self.device = "unix:" + path
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self._listening.close()

    def _serve(self):
        while True:
            try:
                connection = self._listening.accept()[0]
            except OSError:
                return
            with connection:
                while self._answer(connection):
                    pass

    def _answer(self, connection):
        report = connection.recv(REPORT)
        if len(report) < REPORT:
            return False
        channel, command, size = report[:4], report[4] & 0x7F, struct.unpack(">H", report[5:7])[0]
        data = report[7:]
        while len(data) < size:
            data += connection.recv(REPORT)[5:]
        data = data[:size]
        if command == INIT:
            answer = data[:8] + b"\0\0\0\x01" + bytes([2, 1, 0, 0, 4])
        elif command == CBOR:
            try:
                answer = bytes([OK]) + self._command(data[0], cbor2.loads(data[1:]) if data[1:] else {})
            except Refused as refused:
                answer = bytes([refused.args[0]])
        else:
            command, answer = ERROR, b"\x01"
        packets = [struct.pack(">BH", command | 0x80, len(answer)) + answer[:REPORT - 7]]
        rest = answer[REPORT - 7:]
        while rest:
            packets.append(bytes([len(packets) - 1]) + rest[:REPORT - 5])
            rest = rest[REPORT - 5:]
        for packet in packets:
            connection.send((channel + packet).ljust(REPORT, b"\0"))
        return True

    def _command(self, command, given):
        answer = {GET_INFO: self._info, CLIENT_PIN: self._client_pin, MAKE_CREDENTIAL: self._make, GET_ASSERTION: self._assert}[command](given)
        return cbor2.dumps(answer, canonical=True)

    def _info(self, _):
        return {1: ["FIDO_2_0"], 2: ["hmac-secret"] if self.extension else [], 3: bytes(16), 4: {"rk": False, "up": True, "clientPin": self.pin is not None},
                5: 1200, 6: [1]}

    def _shared(self, key):
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(key[-2], "big"), int.from_bytes(key[-3], "big"), ec.SECP256R1())
        return sha256(self._agreement.exchange(ec.ECDH(), numbers.public_key()))

    def _client_pin(self, given):
        if given[2] == 2:
            return {1: cose(self._agreement.public_key(), -25)}
        if given[2] == 5:
            shared = self._shared(given[3])
            if self.pin is None or crypt(shared, given[6], False) != sha256(self.pin.encode())[:16]:
                raise Refused(PIN_INVALID)
            return {2: crypt(shared, self._token, True)}
        raise Refused(MISSING_PARAMETER)

    def _verified(self, given, proof):
        """Whether the PIN was given with this command."""
        if proof not in given:
            return False
        if given[proof] != mac(self._token, given[1 if proof == 8 else 2])[:16]:
            raise Refused(PIN_AUTH_INVALID)
        return True

    def _head(self, party, flags):
        return sha256(party.encode()) + bytes([flags]) + struct.pack(">I", self.touches)

    def _make(self, given):
        verified = self._verified(given, 8)
        if self.pin is not None and not verified:
            raise Refused(PIN_REQUIRED)
        self.touches += 1
        nonce = os.urandom(32)
        identity = nonce + mac(self.master, nonce + given[2]["id"].encode())
        flags = TOUCHED | HAS_CREDENTIAL | (VERIFIED if verified else 0)
        key = ec.derive_private_key(int.from_bytes(mac(self.master, identity), "big") >> 1, ec.SECP256R1())
        data = bytes(16) + struct.pack(">H", len(identity)) + identity + cbor2.dumps(cose(key.public_key(), -7), canonical=True)
        if self.extension and given.get(6, {}).get("hmac-secret"):
            flags |= HAS_EXTENSIONS
            data += cbor2.dumps({"hmac-secret": True})
        return {1: "none", 2: self._head(given[2]["id"], flags) + data, 3: {}}

    def _assert(self, given):
        verified = self._verified(given, 6)
        for named in given.get(3, []):
            nonce, proof = named["id"][:32], named["id"][32:]
            if proof == mac(self.master, nonce + given[1].encode()):
                break
        else:
            raise Refused(NO_CREDENTIALS)
        if given.get(5, {}).get("up") is False:  # only asked whether it is its own
            return {1: {"id": named["id"], "type": "public-key"}, 2: self._head(given[1], 0), 3: b"\x30\x06\x02\x01\x01\x02\x01\x01"}
        self.touches += 1
        flags, data = TOUCHED | (VERIFIED if verified else 0), b""
        if self.extension and "hmac-secret" in given.get(4, {}):
            asked = given[4]["hmac-secret"]
            shared = self._shared(asked[1])
            if asked[3] != mac(shared, asked[2])[:16]:
                raise Refused(PIN_AUTH_INVALID)
            secret = mac(mac(self.master, b"verified" if verified else b"touched") + named["id"], crypt(shared, asked[2], False))
            flags |= HAS_EXTENSIONS
            data = cbor2.dumps({"hmac-secret": crypt(shared, secret, True)})
        return {1: {"id": named["id"], "type": "public-key"}, 2: self._head(given[1], flags) + data, 3: b"\x30\x06\x02\x01\x01\x02\x01\x01"}
