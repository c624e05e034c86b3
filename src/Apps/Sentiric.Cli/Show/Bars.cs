using System.Globalization;

namespace Sentiric.Cli.Show;

/// <summary>Figures as small pictures of characters.</summary>
internal static class Bars
{
    private const string Levels = "▁▂▃▄▅▆▇█";

    /// <summary>One character a value, the highest full; a value above nothing is never shown as nothing.</summary>
    public static string Spark(IReadOnlyList<double> values)
    {
        var most = values.Count == 0 ? 0 : values.Max();
        return string.Concat(values.Select(v => v <= 0 || most <= 0 ? ' ' : Levels[(int)Math.Ceiling(v / most * (Levels.Length - 1))]));
    }

    /// <summary>"[#####.....]  50 %".</summary>
    public static string Progress(double share, int width)
    {
        var full = (int)(Math.Clamp(share, 0, 1) * width);
        return string.Create(CultureInfo.InvariantCulture, $"[{new string('#', full)}{new string('.', width - full)}] {Math.Clamp(share, 0, 1) * 100,3:0} %");
    }
}

/// <summary>
/// A line that is drawn over itself while something runs, with an estimate of what is left. Where nobody looks (no terminal) it says nothing until the end.
/// </summary>
internal sealed class ProgressLine(Terminal terminal, TimeProvider time, string what)
{
    private const int Width = 30;
    private static readonly TimeSpan DrawEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan EstimateAfter = TimeSpan.FromSeconds(2);
    private readonly long began = time.GetTimestamp();
    private long drawn;
    private int length;

    /// <param name="total">0 when it is not known.</param>
    public void Show(long done, long total, string unit)
    {
        if (!terminal.Live || (drawn != 0 && time.GetElapsedTime(drawn) < DrawEvery && done < total)) return;
        drawn = time.GetTimestamp();
        Draw(total <= 0 ? $"{what} {unit} {Words.Grouped(done)}" : $"{what} {Bars.Progress((double)done / total, Width)}  {unit}{Left(done, total)}");
    }

    /// <summary>Takes the line away.</summary>
    public void Clear()
    {
        if (length > 0) Draw("");
        if (length > 0) terminal.Error.Write('\r');
        length = 0;
    }

    private string Left(long done, long total)
    {
        var elapsed = time.GetElapsedTime(began);
        return elapsed < EstimateAfter || done <= 0 || done >= total ? "" : $"  {Words.Age(elapsed * ((double)(total - done) / done))} left";
    }

    private void Draw(string text)
    {
        terminal.Error.Write('\r' + text.PadRight(length));
        terminal.Error.Flush();
        length = Math.Max(length, text.Length);
    }
}
