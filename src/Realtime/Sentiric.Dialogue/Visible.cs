using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Sentiric.Dialogue.Tests")]
