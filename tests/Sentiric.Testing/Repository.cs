namespace Sentiric.Testing;

/// <summary>Where the repository lies, for tests that read its files.</summary>
public static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    /// <summary>The folder of test data beside the repository; null where there is none. The product never needs it.</summary>
    public static string? SharedData =>
        Path.GetFullPath(Path.Combine(Root, "..", "shared", "data")) is var path && Directory.Exists(path) ? path : null;

    // The path that the compiler saw leads there even when the build went to a folder outside the tree.
    private static string FindRoot([System.Runtime.CompilerServices.CallerFilePath] string thisFile = "") =>
        Above(AppContext.BaseDirectory) ?? Above(Path.GetDirectoryName(thisFile))
        ?? throw new InvalidOperationException("The repository's root (Sentiric.sln) is in none of the folders above the tests.");

    private static string? Above(string? start)
    {
        for (var folder = start is null ? null : new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Sentiric.sln")))
            {
                return folder.FullName;
            }
        }

        return null;
    }
}
