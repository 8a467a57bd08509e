"""Tables to probe: every single-bit change of a plain path, and random trees with a share of odd entries."""
import random
import struct

import emulator as o

ADDR = 0x000FFFFFFFFFF000
TABLE_PAGES = range(0x101000, 0x101000 + 0x400 * 4096, 4096)
FIRST_DATA = 0x1000000


def page(entries):
    b = bytearray(4096)
    for i, v in entries.items():
        struct.pack_into('<Q', b, 8 * i, v)
    return bytes(b)


def large_shift(level):
    return 12 + 9 * (level - 1)


# ---------------------------------------------------------------- single bits

def plain_path(kind, levels, leaf):
    """A path that allows everything: {level: (address, entry)}, the address it translates, and its root."""
    tables = {level: 0x101000 + (levels - level) * 0x11000 for level in range(levels, leaf - 1, -1)}
    target = {1: 0x2345000, 2: 0x2400000, 3: 0x40000000}[leaf]
    index = {5: 0, 4: 0, 3: 5, 2: 0x93, 1: 0x155}
    ept = kind == o.EPT
    path, va = {}, 0x123
    for level in range(levels, leaf - 1, -1):
        e = 7 | (tables[level - 1] if level > leaf else target)
        if level == leaf:
            e |= (0x30 if ept else 0) | (0x80 if leaf > 1 else 0)
        path[level] = (tables[level] + 8 * index[level], e)
        va |= index[level] << large_shift(level)
    if leaf == 3:
        va = va & ~((1 << 30) - 1) | 0x3456789      # the second GiB has memory for its first 128 MiB
    if leaf == 2:
        va |= 0x45000
    return path, va, tables[levels]


def single_bits(kind, levels, ad, probe, second=False):
    """Cases for every bit of every entry of a path of each leaf size; second: one more bit, at random."""
    rng = random.Random('bits/%d/%d/%d/%d' % (kind, levels, ad, second))
    cases = []
    for leaf in (1, 2, 3):
        path, va, root = plain_path(kind, levels, leaf)
        if kind == o.EPT:
            root |= 0x1E | (0x40 if ad else 0)
        for level in path:
            if kind == o.NPT and level == 5:
                continue                            # the harness needs PML5[0] as it is
            for bit in range(64):
                changed = dict(path)
                changed[level] = (path[level][0], path[level][1] ^ 1 << bit)
                if second:
                    other = rng.choice([n for n in path if n < 5])
                    a, e = changed[other]
                    changed[other] = (a, e ^ 1 << rng.randrange(12 if rng.random() < .6 else 64))
                c = o.Case(kind, root, [(a, struct.pack('<Q', e)) for a, e in sorted(changed.values())])
                probe(c, va, rng)
                cases.append(c)
    return cases


# ---------------------------------------------------------------- random trees

class Tree:
    """A random table tree: mostly sane, with a share of odd entries, some of which lead back to tables."""

    def __init__(self, rng, kind, ad=True, odd=0.06, la57=False):
        self.rng, self.kind, self.odd, self.la57 = rng, kind, odd, la57
        self.tables = {}
        self.free = list(TABLE_PAGES)
        rng.shuffle(self.free)
        self.paths = []                             # (base address, level) of every entry
        self.root = self.table(5 if la57 else 4, 0)
        if kind == o.EPT:
            self.root |= 0x1E | (0x40 if ad else 0)

    def fanout(self, level):
        return {5: 2, 4: 3, 3: 6, 2: 10, 1: 20}[level]

    def flags(self, leaf):
        r = self.rng
        if self.kind == o.EPT:
            f = r.choice((7, 7, 7, 7, 3, 1, 5, 4)) if leaf or r.random() < .2 else 7
            if leaf:
                f |= r.choice((6, 6, 6, 0, 1, 4, 5)) << 3
                f |= 0x40 if r.random() < .3 else 0
                f |= 0x200 if r.random() < .2 else 0
            f |= r.getrandbits(12) & 0xC00 if r.random() < .3 else 0
            f |= (r.getrandbits(12) << 52) & ~(1 << 61) if r.random() < .3 else 0
            f |= 0x100 if r.random() < .3 else 0
        else:
            f = 1 | (2 if r.random() < .8 else 0) | (4 if r.random() < .85 else 0)
            f |= 1 << 63 if r.random() < .15 else 0
            f |= r.getrandbits(12) & 0xE00 if r.random() < .3 else 0
            f |= r.getrandbits(7) << 52 if r.random() < .3 else 0
            f |= r.choice((0, 8, 16, 24))
            f |= 0x20 if r.random() < .3 else 0
            f |= 0x40 if leaf and r.random() < .2 else 0
            f |= 0x100 if leaf and r.random() < .1 else 0
        return f

    def spoil(self, e):
        r = self.rng
        k = r.randrange(7)
        if k == 0:
            return e & ~(7 if self.kind == o.EPT else 1)
        if k == 1:
            return e | 1 << r.randrange(40, 52)
        if k == 2:
            return e ^ 1 << r.randrange(3, 8)
        if k == 3:
            return (e & ~7) | r.randrange(8)
        if k == 4:
            return e ^ 1 << r.randrange(12, 30)
        if k == 5 and self.tables:
            return (e & ~ADDR) | r.choice(list(self.tables))      # a loop, or a table of another level
        return e ^ 1 << r.randrange(64)

    def target(self, level):
        r = self.rng
        if level == 3:
            return r.choice((0, 0, 0x40000000, r.randrange(4, 1 << 10) << 30))
        align = 1 << large_shift(level)
        if r.random() < .08:
            return r.randrange(1 << 32, 1 << 40, align)
        return r.randrange(FIRST_DATA, o.HARNESS_BASE - align, align)

    def indexes(self, level):
        r, n = self.rng, self.fanout(level)
        if level >= 4:
            idx = [0, 1] if level == 4 else [0]
            if self.kind == o.X86:
                idx += r.sample(range(2, 512), n - 1) + r.sample((509, 510, 511), 1)
        else:
            lo = r.randrange(0, 512 - n)
            idx = r.sample(range(lo, lo + n), n // 2) + r.sample(range(512), n // 2) + [0, 511][:r.randrange(3)]
        return set(idx)

    def entry(self, level, base):
        r = self.rng
        large = level in (2, 3) and r.random() < (.35 if level == 2 else .3)
        if level == 1 or large:
            e = self.target(level) | self.flags(True) | (0x80 if large else 0)
            if level == 1 and self.kind != o.EPT and r.random() < .1:
                e |= 0x80
        elif len(self.free) < 8:
            return None
        else:
            e = self.table(level - 1, base) | self.flags(False)
        if r.random() < self.odd and not (level >= 4 and r.random() < .6):
            e = self.spoil(e)
        if large and r.random() < .08:              # alignment bits of a large leaf
            e |= 1 << r.randrange(12, large_shift(level))
        if level >= 4 and r.random() < .1:
            e |= 0x80
        if level == 5 and self.kind == o.NPT:
            e = e & ~(1 << 63 | 0x80) & (1 << 40) - 1 | 7       # the harness lives behind it
        return e

    def table(self, level, base):
        pa, d = self.free.pop(), {}
        for i in sorted(self.indexes(level)):
            a = base | i << large_shift(level)
            e = self.entry(level, a)
            if e is not None:
                d[i] = e
                self.paths.append((a, level))
        self.tables[pa] = d
        return pa

    def chunks(self):
        return [(pa, page(d)) for pa, d in sorted(self.tables.items())]

    def address(self):
        """An address near an entry of the tree, or anywhere."""
        r = self.rng
        if r.random() < .93:
            a, level = r.choice(self.paths)
            if level > 1 and r.random() < .7:       # rather a deep entry
                a, level = r.choice(self.paths)
            a |= r.getrandbits(large_shift(level))
        else:
            a = r.getrandbits(40)
        if self.kind != o.X86:
            return a & (1 << 40) - 1
        n = 57 if self.la57 else 48
        a &= (1 << n) - 1
        if a >> (n - 1):
            a |= 2**64 - (1 << n)
        if r.random() < .01:
            a ^= 1 << r.randrange(n, 64)            # not canonical
        return a


def random_case(name, kind, ad, la57, probes, probe):
    rng = random.Random(name)
    tree = Tree(rng, kind, ad, odd=rng.choice((.03, .06, .06, .25)), la57=la57)
    c = o.Case(kind, tree.root, tree.chunks())
    for _ in range(probes):
        probe(c, tree.address(), rng)
    return c
