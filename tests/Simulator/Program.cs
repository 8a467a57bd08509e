using Pagoda.Simulator;

return Runner.Run(args);
