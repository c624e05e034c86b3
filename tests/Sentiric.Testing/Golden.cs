using Xunit;

namespace Sentiric.Testing;

/// <summary>
/// Approval tests: the text is compared with a file in the repository. A difference writes <c>*.received</c> beside it; whoever has read the
/// difference and wants it runs the test with SENTIRIC_ACCEPT=1.
/// </summary>
public static class Golden
{
    public static void Check(string text, params string[] path)
    {
        var approved = Repository.PathOf(path);
        var received = approved + ".received";
        var actual = text.ReplaceLineEndings("\n").TrimEnd('\n') + "\n";
        if (Environment.GetEnvironmentVariable("SENTIRIC_ACCEPT") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(approved)!);
            File.WriteAllText(approved, actual);
        }

        var expected = File.Exists(approved) ? File.ReadAllText(approved) : "";
        if (expected == actual)
        {
            File.Delete(received);
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(approved)!);
        File.WriteAllText(received, actual);
        Assert.Fail($"{string.Join('/', path)} differs from what came out.\n{FirstDifference(expected, actual)}\nRead {received}; accept it with SENTIRIC_ACCEPT=1.");
    }

    private static string FirstDifference(string expected, string actual)
    {
        var (a, b) = (expected.Split('\n'), actual.Split('\n'));
        var line = Enumerable.Range(0, Math.Max(a.Length, b.Length)).First(i => a.ElementAtOrDefault(i) != b.ElementAtOrDefault(i));
        return $"line {line + 1}\n  approved: {a.ElementAtOrDefault(line)}\n  received: {b.ElementAtOrDefault(line)}";
    }
}
