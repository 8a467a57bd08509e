#!/usr/bin/env python3
"""Records the walker's test vectors anew (see README.md): makes tables, lets the emulators walk them, writes what they
did to OUT/ept.bin.gz, npt.bin.gz and x86.bin.gz.

Every vector stands for itself: the entries of the path before the access, the access, and what came of it.
"""
import gzip
import os
import struct
import sys
from dataclasses import dataclass

import emulator as o
import tables as t

MAGIC = b'PGWALK01'
PHYS_BITS = 40
OUTCOMES = {'OK': 0, 'EV': 1, 'EM': 2, 'NP': 3, 'PF': 4, 'XC': 5}
PTWALK_CLEAR = 5
READ, WRITE, EXEC, RMW, PTWALK = o.READ, o.WRITE, o.EXEC, o.RMW, o.PTWALK
GENERAL_PROTECTION = 13


@dataclass
class Group:
    """Cases for one boot of one emulated processor."""
    kind: int
    engine: str
    cpu: str
    ad: bool = True
    la57: bool = False
    nxe: bool = True            # NPT: the host's EFER.NXE
    trees: int = 10
    probes: int = 400
    bits: bool = True

    @property
    def levels(self):
        return 5 if self.la57 else 4

    @property
    def name(self):
        return '%s %s %s levels=%d ad=%d nxe=%d' % (o.KINDS[self.kind], self.engine, self.cpu, self.levels, self.ad,
                                                    self.nxe)


QEMU = 'max,+svm,+npt'
PLAN = [
    Group(o.EPT, 'bochs', 'broadwell_ult', trees=22),
    Group(o.EPT, 'bochs', 'tigerlake', trees=6, bits=False),
    Group(o.EPT, 'bochs', 'broadwell_ult', ad=False, trees=8),
    Group(o.EPT, 'bochs', 'corei7_sandy_bridge_2600k', ad=False, trees=8),
    Group(o.NPT, 'qemu', QEMU, trees=12),
    Group(o.NPT, 'qemu', QEMU, la57=True, trees=8),
    Group(o.NPT, 'qemu', QEMU, nxe=False, trees=3, bits=False),
    Group(o.NPT, 'bochs', 'ryzen', trees=10),
    Group(o.NPT, 'bochs', 'ryzen', nxe=False, trees=2, bits=False),
    Group(o.X86, 'qemu', QEMU, trees=16),
    Group(o.X86, 'qemu', QEMU, la57=True, trees=12),
    Group(o.X86, 'bochs', 'corei7_skylake_x', trees=14),
]


# ---------------------------------------------------------------- probes

def x86_modes(rng):
    fl = rng.choice((0, o.P_USER)) | rng.choice((0, 0, 0, o.P_WPOFF)) | (o.P_NXEOFF if rng.random() < .1 else 0)
    return fl | rng.choice((0, 0, o.P_SMEP, o.P_SMAP, o.P_SMAP | o.P_AC, o.P_SMEP | o.P_SMAP))


def add(c, address, op, rng, flags=0):
    flags |= o.P_RESTORE
    if op in (PTWALK, PTWALK_CLEAR):
        flags |= o.P_ACLEAR if op == PTWALK_CLEAR else 0
        op, address = PTWALK, address & ~7
    elif op == EXEC and address & 0xFFF > 0xFE0:
        address &= ~0x3F                # an instruction that cannot be planted must not run on into the next page
    size = 1 if op == EXEC else rng.choice((1, 2, 4, 8))
    while (address & 0xFFF) + size > 4096:
        size >>= 1
    c.probe(address, op, value=rng.getrandbits(64), size=8 if op == PTWALK else size, flags=flags)


def probe_random(c, address, rng):
    ops = (READ, READ, WRITE, WRITE, EXEC, RMW)
    if c.kind == o.X86:
        add(c, address, rng.choice(ops), rng, x86_modes(rng))
    else:
        add(c, address, rng.choice(ops + (PTWALK, PTWALK_CLEAR)), rng)


def probe_each(c, address, rng):
    for op in (READ, WRITE, EXEC) if c.kind == o.X86 else (READ, WRITE, EXEC, rng.choice((PTWALK, PTWALK_CLEAR))):
        if c.kind == o.X86:
            add(c, address, op, rng, o.P_USER)
            add(c, address, op, rng, x86_modes(rng) & ~o.P_USER)
        else:
            add(c, address, op, rng)


def is_canonical(g, address):
    n = 57 if g.la57 else 48
    return g.kind != o.X86 or address >> (n - 1) in (0, (1 << (65 - n)) - 1)


def cases_of(g):
    cases = []
    if g.bits:
        cases += t.single_bits(g.kind, g.levels, g.ad, probe_each)
        cases += t.single_bits(g.kind, g.levels, g.ad, probe_random, second=True)
    cases += [t.random_case('%s/%d' % (g.name, i), g.kind, g.ad, g.la57, g.probes, probe_random)
              for i in range(g.trees)]
    for c in cases:
        c.flags = o.H_DIFF | (o.H_LA57 if g.la57 else 0) | (0 if g.nxe else o.H_NXEOFF)
    return cases


# ---------------------------------------------------------------- vectors

def in_ram(pa):
    return pa < 0xA0000 or 0x100000 <= pa < o.HARNESS_BASE


def private_slots(g, memory, root):
    """Where the harness puts its own entry while a probe runs; a path that meets it is not recorded."""
    if g.kind == o.NPT and g.la57:
        root = memory.get(root, 0) & t.ADDR
        return {root, root + 8}
    slots = (509, 510) if g.kind == o.X86 else (0, 1)
    return {root + 8 * s for s in slots}


def path_of(g, memory, root, address):
    """The entries that the address leads to when nothing is checked, [(pa, entry)], and whether to record it."""
    present = 7 if g.kind == o.EPT else 1
    table, path, known = root, [], True
    slots = private_slots(g, memory, root)
    top = 4 if g.kind == o.NPT and g.la57 else g.levels
    for level in range(g.levels, 0, -1):
        if not in_ram(table):
            # Beyond the address width the entry above is malformed and ends the walk; else nobody knows what is read.
            return path, known and bool(table >> PHYS_BITS)
        pa = table + (address >> t.large_shift(level) & 511) * 8
        known &= pa not in slots or level == top
        e = memory.get(pa, 0)
        path.append((pa, e))
        if not e & present or level == 1 or (level <= 3 and e & 0x80):
            break
        table = e & t.ADDR
    return path, known


def vector(g, memory, c, p, r):
    """The fields of one vector, or None; brings memory up to what the probe left."""
    root = c.root & t.ADDR
    path, known = path_of(g, memory, root, p.gpa)
    after = [e for e in r.entries if e is not None]
    if r.st == 'SK':
        return None
    for (pa, _), e in zip(path, after):
        memory[pa] = e
    if p.op == EXEC and not is_canonical(g, p.gpa):
        return None                     # a jump out of the canonical range faults in the jump, not in the walk
    if not known or r.st not in OUTCOMES or (r.st == 'XC' and r.code != GENERAL_PROTECTION):
        return None
    if r.st == 'XC' and g.kind != o.X86 or r.st == 'PF' and g.kind != o.X86:
        return None
    if r.st != 'XC' and len(after) < len(path):
        raise SystemExit('%s: path of %d entries, the harness saw %d: %s' % (g.name, len(path), len(after), r))
    if r.st not in ('OK', 'XC') and r.info2 != p.gpa:
        raise SystemExit('%s: the fault is at %#x, the probe at %#x' % (g.name, r.info2, p.gpa))
    op = PTWALK_CLEAR if p.flags & o.P_ACLEAR else p.op
    flags = 0
    for bit, on in enumerate((p.flags & o.P_USER, not p.flags & o.P_WPOFF,
                              not p.flags & o.P_NXEOFF if g.kind == o.X86 else g.nxe,
                              p.flags & o.P_SMEP, p.flags & o.P_SMAP, p.flags & o.P_AC, r.confirmed == 1)):
        flags |= bool(on) << bit
    ok = r.st == 'OK'
    before = [e for _, e in path]
    changed = [(b ^ a) if r.st != 'XC' else 0 for b, a in zip(before, after or before)]
    if any(x >> 16 for x in changed):
        raise SystemExit('%s: an entry changed above bit 15: %s' % (g.name, r))
    return (op, flags, OUTCOMES[r.st], len(path), 0 if ok else r.info1, p.gpa, c.root,
            r.hpa if ok else 0, before, changed)


def check_image(g, c, cr, memory, first):
    """The tables at the end must be those that the vectors add up to."""
    want = {a: v for a, v in memory.items() if first.get(a, 0) != v}
    got = {a: n for a, _, n in cr.diff}
    if want != got:
        odd = sorted(set(want.items()) ^ set(got.items()))[:4]
        raise SystemExit('%s: case %d: tables differ at %s' % (g.name, c.case_id, [(hex(a), hex(v)) for a, v in odd]))


def vectors_of(g):
    cases = cases_of(g)
    out = o.run(cases, g.engine, g.cpu, timeout=600)
    vs, left = [], 0
    for c, cr in zip(cases, out.cases):
        memory = {}
        for pa, data in c.chunks:
            for i, v in enumerate(struct.unpack('<%dQ' % (len(data) // 8), data)):
                if v:
                    memory[pa + 8 * i] = v
        first = dict(memory)
        for p, r in zip(c.probes, cr.results):
            v = vector(g, memory, c, p, r)
            if v is None:
                left += 1
            else:
                vs.append(v)
        check_image(g, c, cr, memory, first)
    tally = {name: sum(v[2] == n for v in vs) for name, n in OUTCOMES.items()}
    print('%-60s %6d vectors, %d left out, %.0f s  %s' % (
        g.name, len(vs), left, out.seconds, ' '.join('%s:%d' % kv for kv in tally.items() if kv[1])))
    sys.stdout.flush()
    return vs, out.caps


def pack(g, vs, caps):
    """One group: a header of 48 bytes, then a column for each field."""
    has_ad = g.ad or g.kind != o.EPT
    execute_only = g.kind == o.EPT and caps['ept_xonly']
    gigapages = caps['ept_1g'] if g.kind == o.EPT else caps['page1g']
    bits = has_ad | execute_only << 1 | bool(gigapages) << 2
    b = bytearray(struct.pack('<BBBBI', g.kind, ('bochs', 'qemu').index(g.engine), g.levels, PHYS_BITS, bits))
    b += struct.pack('<I36s', len(vs), g.cpu.encode())
    for k, fmt in enumerate('BBBBQQQQ'):
        b += struct.pack('<%d%s' % (len(vs), fmt), *[v[k] for v in vs])
    for level in range(g.levels):
        b += struct.pack('<%dQ' % len(vs), *[v[8][level] if level < len(v[8]) else 0 for v in vs])
        b += struct.pack('<%dH' % len(vs), *[v[9][level] if level < len(v[9]) else 0 for v in vs])
    return bytes(b)


def main(out):
    o.build()
    os.makedirs(out, exist_ok=True)
    total = 0
    for kind, file in ((o.EPT, 'ept'), (o.NPT, 'npt'), (o.X86, 'x86')):
        groups = []
        for g in PLAN:
            if g.kind == kind:
                vs, caps = vectors_of(g)
                total += len(vs)
                groups.append(pack(g, vs, caps))
        data = MAGIC + struct.pack('<II', len(groups), 0) + b''.join(groups)
        packed = gzip.compress(data, 9, mtime=0)
        with open(os.path.join(out, file + '.bin.gz'), 'wb') as f:
            f.write(packed)
        print('%s.bin.gz: %d bytes, %d packed' % (file, len(data), len(packed)))
    print('%d vectors' % total)


if __name__ == '__main__':
    main(sys.argv[1])
