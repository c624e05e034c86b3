namespace Sentiric.Benchmarks.Kit;

/// <summary>One moving line on a terminal; silent anywhere else. It writes only when told to, so it costs the measurement nothing.</summary>
public sealed class Progress
{
    private const string ClearLine = "\r\u001b[2K";
    private readonly bool isTerminal = !Console.IsErrorRedirected;

    public void Say(string what)
    {
        if (isTerminal) Console.Error.Write($"{ClearLine}· {what}");
    }

    public void Clear()
    {
        if (isTerminal) Console.Error.Write(ClearLine);
    }
}
