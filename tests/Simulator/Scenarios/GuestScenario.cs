using Pagoda.Simulator.Checks;
using Pagoda.Simulator.Scheduling;

namespace Pagoda.Simulator.Scenarios;

/// <summary>A guest with vCPUs, and whoever the plan adds.</summary>
internal sealed class GuestScenario(string name, GuestPlan plan) : Scenario
{
    private const int DeviceWord = 5;
    private const int HolderWord = 6;

    private readonly GuestPlan _plan = plan;

    public override string Name { get; } = name;

    public override int TypicalSteps => _plan.TypicalSteps;

    public override void Play(Stage stage)
    {
        GuestPlan plan = _plan;
        var world = new GuestWorld(stage, plan);
        var vcpus = new ModelVcpu[plan.Vcpus];
        for (int i = 0; i < plan.Vcpus; i++)
        {
            // The word of an actor has its number; word 0 is everybody's.
            var vcpu = new ModelVcpu(world, i + 1, stage.ChoicesOf(i));
            vcpus[i] = vcpu;
            stage.Add("vcpu " + (i + 1), () =>
            {
                vcpu.Run(plan.Accesses);
                if (plan.Leaves) vcpu.Dispose();
            });
        }
        if (plan.DaemonTurns != 0)
        {
            for (int i = 0; i < plan.Daemons; i++)
            {
                Rng choices = stage.ChoicesOf(20 + i);
                stage.Add("daemon", () => Reclaim(world, choices));
            }
        }
        if (plan.DeviceTurns != 0)
        {
            var device = new ModelDevice(world, DeviceWord, stage.ChoicesOf(11));
            stage.Add("device", () => device.Run(plan.DeviceTurns));
        }
        for (int i = 0; i < plan.Holders; i++)
        {
            var holder = new ModelDevice(world, HolderWord - 2 * i, stage.ChoicesOf(30 + i));
            stage.Add("holder " + (i + 1), () => holder.Hold(plan.DeviceTurns));
        }
        if (plan.ControlTurns != 0)
        {
            var control = new ModelControl(world, stage.ChoicesOf(12));
            stage.Add("control", () => control.Run(plan.ControlTurns, plan.Control));
        }
        if (plan.DropTurns != 0)
        {
            var dropper = new ModelControl(world, stage.ChoicesOf(13));
            stage.Add("dropper", () => dropper.Drop(plan.DropTurns));
        }
        if (plan.Destroys) stage.Add("destroyer", world.Guest.Dispose);
        stage.Play();
        world.Finish(vcpus);
    }

    private void Reclaim(GuestWorld world, Rng choices)
    {
        for (int turn = 0; turn < _plan.DaemonTurns; turn++)
        {
            if (_plan.OnlyAges || choices.OneIn(4)) world.Daemon!.Age();
            else if (_plan.Launders && choices.OneIn(2)) world.Daemon!.Launder(1 + choices.Below(_plan.Pages));
            else world.Daemon!.Reclaim(1 + choices.Below(_plan.Pages));
        }
    }
}
