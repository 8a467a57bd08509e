"""Runs the harness in Bochs or QEMU and reads what it reports (see README.md, "Recorder").

    c = Case(EPT, root=eptp, chunks=[(pa, bytes), ...])
    c.probe(gpa, READ); c.probe(gpa, WRITE, value=1); c.probe(gpa, EXEC)
    for r in run([c], engine='bochs', cpu='broadwell_ult').cases[0].results: print(r)

Python 3.11, standard library only.
"""
import array
import ctypes
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get('ORACLE_BUILD', os.path.join(tempfile.gettempdir(), 'paging-oracle'))
HARNESS_BASE = 0x48000000       # images own [0,0xA0000) and [1 MiB, HARNESS_BASE)
BLOB_BASE = 0x48800000
BLOB_MAX = 0x58000000 - BLOB_BASE
MAGIC = b'NPTORACL'

EPT, NPT, X86 = 0, 1, 2
KINDS = {EPT: 'EPT', NPT: 'NPT', X86: 'X86'}
READ, WRITE, EXEC, RMW, PTWALK, POKE, PEEK, STALE = range(8)
OPS = ['READ', 'WRITE', 'EXEC', 'RMW', 'PTWALK', 'POKE', 'PEEK', 'STALE']

# header flags
H_DUMP, H_DIFF, H_MBE, H_LA57, H_NOENT, H_NXEOFF, H_KEEP, H_WPOFF = (
    1, 2, 4, 8, 16, 32, 64, 128)
# probe flags
P_USER, P_KEEPTLB, P_WPOFF, P_NXEOFF, P_SMEP, P_SMAP, P_AC, P_RESTORE, P_NOPLANT, P_ACLEAR = (
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
# STALE variants (passed in size)
ST_READ, ST_WRITE, ST_CR3_READ, ST_CR3_WRITE, ST_DIRTY, ST_CR3_DIRTY, ST_INVLPG_READ, ST_INVLPG_WRITE = range(12, 20)

SKIP_REASONS = {1: 'root page not in oracle RAM',
                2: 'gpa beyond the CPU model\'s MAXPHYADDR',
                3: 'no place for the private mapping (NPT with LA57: PML5[0] must be a user, writable, executable table)',
                4: 'maps onto the harness itself', 5: 'access crosses a root slot',
                6: 'bad op or size', 7: 'PTWALK gpa unaligned', 8: 'bad STALE poke'}

ENGINES = {
    # engine: (default cpu, kinds)
    'bochs': ('broadwell_ult', (EPT, NPT, X86)),
    'qemu': ('max,+svm,+npt', (NPT, X86)),
}
# Bochs 2.7 models worth using (see README.md for what each one has)
BOCHS_EPT_AD = ['corei7_haswell_4770', 'broadwell_ult', 'corei7_skylake_x',
                'corei3_cnl', 'corei7_icelake_u', 'tigerlake']
BOCHS_EPT_NOAD = ['corei5_arrandale_m520', 'corei7_sandy_bridge_2600k',
                  'corei7_ivy_bridge_3770k']
BOCHS_SVM = ['phenom_8650_toliman', 'zambezi', 'trinity_apu', 'ryzen']


@dataclass
class Probe:
    gpa: int
    op: int = READ
    value: int = 0
    size: int = 8
    flags: int = 0
    tag: int = 0
    aux: int = 0

    def pack(self):
        return struct.pack('<QQBBHIQ', self.gpa, self.value & (2**64 - 1), self.op,
                           self.size, self.flags, self.tag, self.aux)


@dataclass
class Case:
    kind: int
    root: int
    chunks: list = field(default_factory=list)      # [(pa, bytes)]
    probes: list = field(default_factory=list)
    flags: int = 0
    case_id: int = 0

    def probe(self, gpa, op=READ, value=0, size=8, flags=0, tag=0, aux=0):
        self.probes.append(Probe(gpa, op, value, size, flags, tag, aux))
        return len(self.probes) - 1

    def pack(self):
        body = bytearray()
        for pa, d in self.chunks:
            d = bytes(d)
            if pa % 8:
                raise ValueError('chunk pa %#x not 8-aligned' % pa)
            d += b'\0' * (-len(d) % 8)
            end = pa + len(d)
            if not (end <= 0xA0000 or (pa >= 0x100000 and end <= HARNESS_BASE)):
                raise ValueError('chunk [%#x,%#x) outside the oracle RAM' % (pa, end))
            body += struct.pack('<QQ', pa, len(d)) + d
        for p in self.probes:
            body += p.pack()
        words = array.array('I', bytes(body))
        return struct.pack('<8sIIQIIIIQQQ', MAGIC, 1, self.kind, self.root,
                           len(self.chunks), len(self.probes), self.flags,
                           sum(words) & 0xFFFFFFFF,
                           64 + len(body), self.case_id, 0) + bytes(body)


@dataclass
class Result:
    """One probe's outcome.

    st: OK  access done          EV  EPT violation     EM  EPT misconfiguration
        NP  nested page fault    PF  #PF               XC  another exception
        XX  another exit         VF  VM entry failed   SK  skipped (code=reason)
        MM  POKE/PEEK done
    """
    index: int
    st: str
    code: int           # exit reason / exit code / vector / skip reason
    info1: int          # qualification / EXITINFO1 / error code / STALE first value / PTWALK guest PTE after
    info2: int | None   # guest-physical address / EXITINFO2 / CR2
    lin: int | None     # guest linear address or RIP
    value: int | None   # value read (before restoring), or memory after a write
    hpa: int | None     # where the tables lead when followed without checks
    confirmed: int      # 1: the CPU's access landed on hpa (planted value seen); 2: equal value, not planted
    entries: tuple = () # (PML5E,) PML4E, PDPTE, PDE, PTE after the probe; None if not reached
    second: tuple | None = None     # (hpa, entries) of the second page of a crossing access

    @property
    def ok(self):
        return self.st == 'OK'

    def __str__(self):
        h = lambda v: '-' if v is None else '%#x' % v
        s = '%d %s code=%#x info1=%#x info2=%s lin=%s val=%s hpa=%s conf=%d [%s]' % (
            self.index, self.st, self.code, self.info1, h(self.info2), h(self.lin),
            h(self.value), h(self.hpa), self.confirmed, ' '.join(h(e) for e in self.entries))
        if self.st == 'SK':
            s += ' (' + SKIP_REASONS.get(self.code, '?') + ')'
        return s


@dataclass
class CaseResult:
    case_id: int
    results: list = field(default_factory=list)
    diff: list = field(default_factory=list)        # [(pa, old, new)] changed qwords of the chunks
    dump: list = field(default_factory=list)        # [(level, is_leaf, gpa, entry)]
    errors: list = field(default_factory=list)
    complete: bool = False


@dataclass
class Output:
    cases: list
    caps: dict
    complete: bool
    seconds: float
    raw: str = ''
    notes: str = ''


class OracleError(Exception):
    pass


_built = False


def build(out=None):
    r = subprocess.run(['make', '-s', '-C', HERE, 'OUT=' + (out or BUILD)],
                       capture_output=True, text=True)
    if r.returncode:
        raise OracleError('make failed:\n' + r.stdout + r.stderr)


def _mb(blob_len):
    return (BLOB_BASE + blob_len + 4096 + 0xFFFFF) >> 20


def _no_thp():
    # Probes touch guest RAM at random; clearing 2 MiB for each touch would
    # cost more than the emulation.  PR_SET_THP_DISABLE, kept across exec.
    try:
        ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)
    except Exception:
        pass


def _hx(t):
    return None if t == '-' else int(t, 16)


def parse(text):
    cases, caps, cur, done = [], {}, None, False
    notes = []
    for line in text.split('\n'):
        t = line.split()
        if not t:
            continue
        k = t[0]
        try:
            if k == 'R' and cur is not None and len(t) >= 9:
                ent = tuple(_hx(x) for x in t[t.index('|') + 1:]) if '|' in t else ()
                cur.results.append(Result(int(t[1], 16), t[2], int(t[3], 16), int(t[4], 16),
                                          _hx(t[5]), _hx(t[6]), _hx(t[7]), _hx(t[8]),
                                          int(t[9], 16), ent))
            elif k == 'S' and cur is not None:
                cur.results[-1].second = (_hx(t[2]), tuple(_hx(x) for x in t[4:]))
            elif k == 'D' and cur is not None and len(t) == 4:
                cur.diff.append(tuple(int(x, 16) for x in t[1:]))
            elif k == 'L' and cur is not None and len(t) == 4:
                cur.dump.append((int(t[1][0]), t[1][1] == 'l', int(t[2], 16), int(t[3], 16)))
            elif k == 'B' and len(t) == 6:
                cur = CaseResult(int(t[1], 16))
                cases.append(cur)
            elif k == 'Z' and cur is not None:
                cur.complete = True
                cur = None
            elif k == 'C' and len(t) == 6:
                f = int(t[2], 16)
                cap = int(t[4], 16)
                caps = dict(maxphyaddr=int(t[1], 16), vmx=bool(f & 1), svm=bool(f & 2),
                            npt=bool(f & 4), nx=bool(f & 8), page1g=bool(f & 16),
                            smep=bool(f & 32), smap=bool(f & 64), la57=bool(f & 128),
                            vmx_basic=int(t[3], 16), ept_vpid_cap=cap,
                            ept_xonly=bool(cap & 1), ept_2m=bool(cap >> 16 & 1),
                            ept_1g=bool(cap >> 17 & 1), ept_ad=bool(cap >> 21 & 1),
                            ept_advinfo=bool(cap >> 22 & 1),
                            mbe=bool(int(t[5], 16) >> 22 & 1))
            elif k == 'E':
                (cur.errors if cur is not None else notes).append(line)
            elif k == 'CRASH':
                notes.append(line)
            elif k == 'END':
                done = True
        except (ValueError, IndexError):
            notes.append('unparsed: ' + line)
    return cases, caps, done, '\n'.join(notes)


def _qemu_cmd(d, blob, n, cpu, out):
    return ['qemu-system-x86_64', '-M', 'pc', '-accel', 'tcg', '-cpu', cpu,
            '-m', str(_mb(n)), '-nodefaults', '-no-user-config', '-display', 'none',
            '-no-reboot', '-bios', BUILD + '/rom.bin',
            '-device', 'loader,file=%s/harness.bin,addr=%#x,force-raw=on' % (BUILD, HARNESS_BASE),
            '-device', 'loader,file=%s,addr=%#x,force-raw=on' % (blob, BLOB_BASE),
            '-chardev', 'file,id=c,path=' + out, '-device', 'isa-debugcon,iobase=0xe9,chardev=c',
            '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']


def _bochs_cmd(d, blob, n, cpu):
    rc = d + '/bochsrc'
    with open(rc, 'w') as f:
        f.write('\n'.join([
            'config_interface: textconfig', 'display_library: sdl2',
            'memory: guest=%d, host=%d' % (_mb(n), _mb(n)),
            'romimage: file=%s/rom.bin' % BUILD,
            'vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest',
            'optramimage1: file=%s/harness.bin, address=%#x' % (BUILD, HARNESS_BASE),
            'optramimage2: file=%s, address=%#x' % (blob, BLOB_BASE),
            'cpu: model=%s, count=1, ips=200000000, reset_on_triple_fault=0, ignore_bad_msrs=0' % cpu,
            'clock: sync=none', 'port_e9_hack: enabled=1', 'speaker: enabled=0',
            'sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy',
            'log: %s/bochs.log' % d, 'panic: action=fatal', 'error: action=ignore',
            'info: action=ignore', 'debug: action=ignore', '']))
    with open(d + '/dbg', 'w') as f:
        f.write('c\n')
    return ['bochs-bin', '-q', '-f', rc, '-rc', d + '/dbg']


def run(cases, engine='qemu', cpu=None, timeout=120, keep_raw=False, nice=10, strict=True):
    """Boot once and run all cases.  cases: Case or list.  Returns Output."""
    if isinstance(cases, Case):
        cases = [cases]
    for i, c in enumerate(cases):
        c.case_id = i
        if c.kind not in ENGINES[engine][1]:
            raise OracleError('%s cannot run %s' % (engine, KINDS[c.kind]))
    if engine == 'bochs' and any(c.flags & H_LA57 for c in cases):
        raise OracleError('Bochs 2.7 has no 5-level paging')
    if len({bool(c.flags & H_LA57) for c in cases}) > 1:
        raise OracleError('LA57 and non-LA57 cases need separate runs')
    cpu = cpu or ENGINES[engine][0]
    blob = bytearray(b''.join(c.pack() for c in cases) + b'\0' * 64)
    struct.pack_into('<Q', blob, 56, len(blob))         # file length, used by rom.asm
    if len(blob) > BLOB_MAX:
        raise OracleError('blob too large (%d MiB)' % (len(blob) >> 20))
    global _built
    if not _built:
        build()
        _built = True
    t0 = time.monotonic()
    with tempfile.TemporaryDirectory(prefix='paging-oracle.') as d:
        bp, op = d + '/blob', d + '/out'
        with open(bp, 'wb') as f:
            f.write(blob)
        env = dict(os.environ, SDL_VIDEODRIVER='dummy', SDL_AUDIODRIVER='dummy',
                   GUEST='guest')
        if engine == 'qemu':
            cmd = _qemu_cmd(d, bp, len(blob), cpu, op)
            so = open(d + '/stdout', 'wb')
        else:
            cmd = _bochs_cmd(d, bp, len(blob), cpu)
            so = open(op, 'wb')
        with so, open(d + '/err', 'wb') as se:
            p = subprocess.Popen(['nice', '-n', str(nice)] + cmd, stdin=subprocess.DEVNULL,
                                 stdout=so, stderr=se, env=env, cwd=d,
                                 start_new_session=True, preexec_fn=_no_thp)
            timed_out = False
            try:
                p.wait(timeout)
            except subprocess.TimeoutExpired:
                timed_out = True
                os.kill(p.pid, signal.SIGKILL)      # nice(1) execs: same pid
                p.wait()
        text = ''
        if os.path.exists(op):
            text = open(op, 'rb').read().decode('latin-1')
        cs, caps, done, notes = parse(text)
        if not done:
            notes += '\n' + open(d + '/err', 'rb').read().decode('latin-1')[-1500:]
            if engine == 'qemu':
                notes += open(d + '/stdout', 'rb').read().decode('latin-1')[-500:]
            if os.path.exists(d + '/bochs.log'):
                notes += open(d + '/bochs.log', 'rb').read().decode('latin-1')[-3000:]
            notes += '\n' + text[-400:]
            if timed_out:
                notes = 'TIME-OUT after %gs\n' % timeout + notes
    good = done and len(cs) == len(cases) and all(
        cr.complete and not cr.errors and len(cr.results) == len(c.probes)
        for c, cr in zip(cases, cs))
    o = Output(cs, caps, good, time.monotonic() - t0,
               text if keep_raw else '', notes)
    if strict and not o.complete:
        raise OracleError('emulator run incomplete (%d of %d cases)\n%s\n%s' % (
            sum(c.complete for c in cs), len(cases),
            '\n'.join(e for c in cs for e in c.errors[:3]), notes))
    return o
