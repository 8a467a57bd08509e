using Pagoda.Core;
using Pagoda.Machine.Cpu;
using Pagoda.Physical;
using Pagoda.Simulator.Scheduling;
using Pagoda.Tlb;

namespace Pagoda.Simulator.Scenarios;

/// <summary>
/// vCPUs that store to a line of code, each its own word, and say so; and vCPUs that execute what they decoded of it:
/// who was told of a store does not execute what was there before.
/// </summary>
internal sealed unsafe class CodeScenario(string name, int writers, int executors, int stores = 3, int turns = 4,
    bool decoded = false) : Scenario
{
    private const int Frames = 4;

    public override string Name { get; } = name;

    public override int TypicalSteps => 60 * writers + 120 * executors;

    public override void Play(Stage stage)
    {
        using Arena arena = stage.Arena(Frames);
        using var table = new ConsumerTable(writers + executors);
        using var lines = new CodeLines(arena);
        uint pfn = arena.Allocator.TryTake(0);
        arena.Frames.ToPage(pfn, 1, 0);
        stage.Watch.Attach(arena);
        ulong* code = (ulong*)arena.DirectMap((ulong)pfn << Paging.PageShift);
        var told = new nint[writers];
        for (int i = 0; i < writers; i++)
        {
            code[i] = 0;
            told[i] = (nint)stage.Cell();
        }
        for (int i = 0; i < writers; i++)
        {
            var vcpu = new Vcpu(stage, table, lines, pfn, code);
            ulong* word = code + i;
            ulong* cell = (ulong*)told[i];
            Rng choices = stage.ChoicesOf(i);
            stage.Add("writer " + i, () => vcpu.Write(word, cell, stores, choices));
        }
        for (int i = 0; i < executors; i++)
        {
            var vcpu = new Vcpu(stage, table, lines, pfn, code);
            if (decoded) vcpu.DecodeFirst(writers);
            stage.Add("executor " + i, () => vcpu.Execute(told, turns));
        }
        stage.Play();
        arena.Allocator.Give(pfn, 0);
    }

    /// <summary>What the interpreter does with a page of code, without the interpreter.</summary>
    private sealed class Vcpu
    {
        private readonly Stage _stage;
        private readonly ConsumerTable _table;
        private readonly CodeLines _lines;
        private readonly uint _pfn;
        private readonly ulong* _code;
        private readonly ulong[] _block = new ulong[8];
        private readonly int _slot;
        private ulong _seen;
        private bool _storesUnseen;
        private bool _hasBlock;
        private uint _version;

        public Vcpu(Stage stage, ConsumerTable table, CodeLines lines, uint pfn, ulong* code)
        {
            _stage = stage;
            _table = table;
            _lines = lines;
            _pfn = pfn;
            _code = code;
            _ = table.TryRegister(out _slot);
        }

        public void Write(ulong* word, ulong* told, int stores, Rng choices)
        {
            Enter();
            for (ulong value = 1; value <= (ulong)stores; value++)
            {
                bool isHit = _storesUnseen;
                if (!isHit) _storesUnseen = !_lines.IsCode(_pfn);
                Stage.StorePlain(word, value);
                if (!isHit && _lines.IsCode(_pfn)) _lines.Stored(_pfn, 1);
                Shared.Store(told, value);
                if (choices.OneIn(2)) Poll();
            }
            _table.Exit(_slot);
        }

        public void Execute(nint[] told, int turns)
        {
            var expected = new ulong[told.Length];
            Enter();
            for (int turn = 0; turn < turns; turn++)
            {
                for (int i = 0; i < told.Length; i++) expected[i] = Shared.Load((ulong*)told[i]);
                // The interpreter stops the writers when it has tried a few times; here it waits for them.
                var wait = default(Wait);
                while (!_hasBlock || Shared.Load(_lines.Version(_pfn)) != _version)
                {
                    _hasBlock = Decode(told.Length);
                    if (CodeLines.IsChanging(_version)) wait.Step();
                }
                for (int i = 0; i < told.Length; i++)
                {
                    _stage.Require(_block[i] >= expected[i], "word " + i + " is executed as " + _block[i] + ", though "
                        + expected[i] + " was stored there, and told");
                }
                Poll();
            }
            _table.Exit(_slot);
        }

        /// <summary>Has a block before anybody stores.</summary>
        public void DecodeFirst(int words)
        {
            Enter();
            while (!_hasBlock) _hasBlock = Decode(words);
            _table.Exit(_slot);
        }

        private bool Decode(int words)
        {
            for (int i = 0; i < words; i++) _block[i] = Shared.Load(_code + i);
            _version = Shared.Load(_lines.Version(_pfn));
            if (CodeLines.IsChanging(_version)) return false;
            if (_lines.Mark(_pfn, 1, out uint version))
            {
                _table.Exit(_slot);
                _table.WaitFor(_table.Advance());
                Enter();
                _lines.Settle(_pfn, version);
                return false;
            }
            for (int i = 0; i < words; i++)
            {
                if (Shared.Load(_code + i) != _block[i]) return false;
            }
            return Shared.Load(_lines.Version(_pfn)) == _version;
        }

        private void Enter()
        {
            _ = _table.Enter(_slot, ref _seen, out bool flush);
            if (flush) Flush();
        }

        private void Poll()
        {
            if (_table.MustFlush(_slot, ref _seen)) Flush();
        }

        private void Flush()
        {
            _storesUnseen = false;
            _table.Acknowledge(_slot, _seen);
        }
    }
}
