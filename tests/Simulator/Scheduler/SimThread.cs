using System;
using System.Threading;
using Pagoda.Simulator.Memory;

namespace Pagoda.Simulator.Scheduling;

/// <summary>An operating-system thread that runs actors of one schedule after another, one step at a time.</summary>
internal sealed class SimThread
{
    [ThreadStatic] private static SimThread? s_current;

    private readonly int _processor;
    private Action? _body;
    private string _name = "";

    public SimThread(Scheduler scheduler, int index, int processor)
    {
        Scheduler = scheduler;
        _processor = processor;
        Index = index;
        Buffer = new StoreBuffer(this);
        // Finalizers and exits do not wait for it.
        new Thread(Main) { IsBackground = true, Name = "actor " + index }.Start();
    }

    /// <summary>The actor that the calling thread runs; null outside every schedule.</summary>
    public static SimThread? Current => s_current;

    public Scheduler Scheduler { get; }

    public int Index { get; }

    public string Name => _name;

    public Baton Baton { get; } = new();

    public StoreBuffer Buffer { get; }

    /// <summary>It has not finished.</summary>
    public bool IsAlive { get; private set; }

    /// <summary>It waits, and nothing has changed since it looked.</summary>
    public bool IsWaiting { get; set; }

    /// <summary>Changes of memory when it began to wait.</summary>
    public long WaitsSince { get; set; }

    /// <summary>It sleeps on a word until somebody wakes it; 0 while it does not.</summary>
    public nuint SleepsOn { get; set; }

    public bool IsReady => IsAlive && SleepsOn == 0;

    /// <summary>What its actor does next, when the scheduler lets it.</summary>
    public void Prepare(string name, Action body)
    {
        _name = name;
        _body = body;
        IsAlive = true;
        IsWaiting = false;
        SleepsOn = 0;
    }

    private void Main()
    {
        Baton.BindThread(_processor);
        s_current = this;
        RegionStock.Current = Scheduler.Stock;
        while (true)
        {
            Baton.Await();
            try
            {
                Scheduler.ThrowIfOver();
                // Stores that are left leave its buffer when the scheduler likes.
                _body!();
            }
            catch (AbandonedException)
            {
                // Another actor ended the schedule.
            }
            catch (Exception failure)
            {
                Scheduler.Report(this, failure);
            }
            _body = null;
            IsAlive = false;
            Scheduler.Leave();
        }
    }
}
