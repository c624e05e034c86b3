using System.Globalization;

namespace Sentiric.Benchmarks.Kit;

/// <summary>Processor time of other processes, from /proc in nanoseconds (schedstat; "stat" counts in steps of 10 ms).</summary>
public static class ProcessCpu
{
    /// <summary>All threads of one process; zero when it is gone.</summary>
    public static TimeSpan Of(int pid)
    {
        try
        {
            var nanoseconds = Directory.EnumerateDirectories($"/proc/{pid}/task").Sum(ThreadNanoseconds);
            return TimeSpan.FromMicroseconds(nanoseconds / 1000.0);
        }
        catch (IOException)
        {
            // it ended while it was being read
            return TimeSpan.Zero;
        }
    }

    /// <summary>All living children of a process.</summary>
    public static TimeSpan OfChildren(int parent)
    {
        var total = TimeSpan.Zero;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) && ParentOf(pid) == parent) total += Of(pid);
        }
        return total;
    }

    /// <summary>Null when there is no such process.</summary>
    public static int? ParentOf(int pid)
    {
        try
        {
            // "pid (name with spaces) state parent ..."
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static double ThreadNanoseconds(string task)
    {
        var path = Path.Combine(task, "schedstat");
        return File.Exists(path) ? double.Parse(File.ReadAllText(path).Split(' ')[0], CultureInfo.InvariantCulture) : 0;
    }
}
