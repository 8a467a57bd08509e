using System;

namespace Pagoda.Cli;

/// <summary>
/// Bad arguments or input. The message is one line that names the option, file or address and says what to do; the
/// process ends with <see cref="ExitStatus.BadInput"/>.
/// </summary>
internal sealed class CliException(string message, Exception? cause = null) : Exception(message, cause);
