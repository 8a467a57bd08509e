using System;
using Pagoda.Simulator.Checks;

namespace Pagoda.Simulator.Scenarios;

/// <summary>A guest whose actors do what a script says: small enough to be gone through.</summary>
internal sealed class ScriptedScenario(string name, GuestPlan plan, Action<Cast> script) : Scenario
{
    private readonly GuestPlan _plan = plan;
    private readonly Action<Cast> _script = script;

    public override string Name { get; } = name;

    public override int TypicalSteps => _plan.TypicalSteps;

    public override void Play(Stage stage)
    {
        var world = new GuestWorld(stage, _plan);
        var cast = new Cast(stage, world);
        _script(cast);
        stage.Play();
        world.Finish(cast.Vcpus);
    }
}

/// <summary>The actors of a script.</summary>
internal sealed class Cast
{
    private const int DeviceWord = 5;

    public Cast(Stage stage, GuestWorld world)
    {
        Stage = stage;
        World = world;
        Vcpus = new ModelVcpu[world.Plan.Vcpus];
        for (int i = 0; i < Vcpus.Length; i++) Vcpus[i] = new ModelVcpu(world, i + 1, stage.ChoicesOf(i));
        Device = new ModelDevice(world, DeviceWord, stage.ChoicesOf(11));
        Control = new ModelControl(world, stage.ChoicesOf(12));
    }

    public Stage Stage { get; }

    public GuestWorld World { get; }

    public ModelVcpu[] Vcpus { get; }

    public ModelDevice Device { get; }

    public ModelControl Control { get; }

    /// <summary>A vCPU that does something and leaves its slot.</summary>
    public void Vcpu(int index, Action<ModelVcpu> acts) => Stage.Add("vcpu " + (index + 1), () =>
    {
        acts(Vcpus[index]);
        Vcpus[index].Exit();
    });

    /// <summary>Another actor.</summary>
    public void Actor(string name, Action acts) => Stage.Add(name, acts);
}
