Option Explicit

Private WithEvents App As Application

Private Sub Workbook_Open()
    XltStart
End Sub

Public Sub XltWatch()
    Set App = Application
End Sub

Private Sub App_AfterCalculate()
    XltForget
End Sub

Private Sub App_WorkbookOpen(ByVal Wb As Workbook)
    XltBind Wb
End Sub

Private Sub App_WorkbookActivate(ByVal Wb As Workbook)
    XltHelp
End Sub
