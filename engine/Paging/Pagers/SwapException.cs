using System;

namespace Pagoda.Pagers;

/// <summary>A swap file cannot be used; the message names it and says what to do.</summary>
public sealed class SwapException(string message) : Exception(message);
