using System;

namespace Pagoda.Machine.Boot;

/// <summary>A kernel image that cannot be booted. The message says what is wrong with it and what to do.</summary>
public sealed class KernelImageException(string message) : Exception(message);
