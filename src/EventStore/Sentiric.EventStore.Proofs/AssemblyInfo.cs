using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Sentiric.EventStore.Proofs.Tests")]
